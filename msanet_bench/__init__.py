"""What is each part of a multi-scale + self-attention image classifier worth, and what does it cost?"""
