//! What is written for people: that links lead somewhere, that the book has every page, and that what is to be typed works.

mod links;
mod pages;
