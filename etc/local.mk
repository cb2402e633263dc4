# Configuration files to start from, installed with the documentation.
dist_example_DATA +=
