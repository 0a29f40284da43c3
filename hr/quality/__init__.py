"""How the connections of an interview were: recorded while it lasts, readable afterwards."""
