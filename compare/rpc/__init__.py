"""What the parent and a worker say to each other: the messages, and how a message with arrays is sent."""
