"""Helpers of the course *Facial Expression Recognition with Convolutional Networks*, one module per job."""
