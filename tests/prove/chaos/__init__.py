"""A whole shop in processes of its own, buyers who shop there, and what is killed meanwhile.

parts      one process that can be killed and comes back; the shop made of them
shopping   a buyer with a browser's patience
letterbox  the mail server, as a program
stock      what is for sale, as a program
books      what the tables say in the end, in SQL: a second opinion on the shop's own code
"""
