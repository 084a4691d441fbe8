"""What colours and edges alone say about a timeline."""
