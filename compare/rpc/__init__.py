"""The communication of the parent and a worker: the messages, and how a message with arrays is sent."""
