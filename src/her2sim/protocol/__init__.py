"""What is decided: visits, readings, the rules of labels, and what follows for the next dose."""
