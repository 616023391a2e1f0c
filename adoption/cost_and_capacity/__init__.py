"""What the portfolio costs, what it is worth, and whom it needs: figures that advise, none of them a criterion."""
