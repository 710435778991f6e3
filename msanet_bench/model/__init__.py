"""The network and the blocks that fill its slots. The home of torch's modules."""
