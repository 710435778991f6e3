"""What a network costs: parameters, multiply-accumulates and latency, and on which machine."""
