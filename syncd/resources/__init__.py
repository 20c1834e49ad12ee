"""One file (tasks: one folder) per mirrored kind: its table, its wire record, its listing."""
