"""Unicode tables at a fixed version, and the normalisation that tokenizers do with them."""

# Unicode's White_Space, which has not changed since version 6.3.
BLANKS = ("\t\n\v\f\r \x85\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
          "\u2028\u2029\u202f\u205f\u3000")
