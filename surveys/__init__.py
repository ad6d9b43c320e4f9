"""What is asked, when, and what answers mean. Pure: no clock, network, database or settings."""
