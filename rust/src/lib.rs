//! The numeric core of Graft: pointers and numbers across the boundary, no I/O, no strings, no formats.

mod cast;
mod dtype;
mod init;
mod memory;
mod random;
mod strided;

mod all_close;
mod arange;
mod binary;
mod bundle;
mod choose;
mod compare;
mod cumsum;
mod erf;
mod exp;
mod index;
mod lanes;
mod linear;
mod operand;
mod peak;
mod reduce;
mod scaled_sum;
mod softmax;
mod turn;
#[cfg(test)]
mod ulp;
mod unary;
mod variance;
mod wide;
