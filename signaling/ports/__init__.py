"""What the switch and the edges ask of the world. The stores and `licensing` implement it.

Times in rows are whole microseconds since 1970-01-01T00:00Z.
"""
