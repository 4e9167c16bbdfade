"""Other products that are given the same work, for comparison."""
