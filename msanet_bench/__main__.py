"""`python -m msanet_bench`."""

from msanet_bench.cli import main

if __name__ == "__main__":
    main()
