"""What results mean: functions from arrays to values."""
