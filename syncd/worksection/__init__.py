"""HTTP with the account: signing, request budget, client, methods, scalar codec.

The only importer of requests. Imports nothing of syncd but errors and secrets, and must not
know what its answers are used for. This file stays empty, so that `scalars` costs no HTTP library.
"""
