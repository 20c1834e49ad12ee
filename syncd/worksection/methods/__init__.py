"""The account's methods as functions that return a `Request`: nothing is sent here.

One module per thing they are about; every documented parameter, under the account's own names.
API sheet, sections 5 to 9.
"""
