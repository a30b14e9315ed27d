"""Faster or leaner forms of the layers for one backend each: equal to the plain forms, and never needed for them."""
