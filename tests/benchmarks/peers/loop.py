"""The sweep as a plain loop."""

from counted import TRIALS, train

for number in range(len(TRIALS)):
    print(TRIALS[number].variant, TRIALS[number].seed, train(number))
