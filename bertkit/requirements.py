"""Packages that bertkit needs beside itself: what to say where one is missing, and on which systems they exist."""


