"""Networks: shortest times, the nearest of many, upstream and downstream, who is inside."""
