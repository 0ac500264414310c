"""Values to bytes and back, in JSON and in protobuf. Owns the wire form of values; knows no URL or header.

Only batches, and the results of batches and samples, have a protobuf form. Its library, and zstd's, are
loaded by the first use.
"""
