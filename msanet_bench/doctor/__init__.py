"""What a machine can measure: its set-up, its noise, and whether its devices are as the timing takes them."""
