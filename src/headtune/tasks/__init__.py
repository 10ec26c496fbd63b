"""What an answer is: probabilities, decision, calibration, metrics, paired tests."""
