"""What the notebooks of *Facial Expression Recognition with Convolutional Networks* import: a folder per subject."""
