"""Two implementations, one server, the same calls: what differs, and which reading explains it.

`examples` draws what the server plays and what the client does, `bench` runs it on both, `readings`
names a difference by the row of the readings to which it belongs, or by none.
"""
