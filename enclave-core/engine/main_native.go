//go:build !wasip1

package main

// main exists so that the tests compile on the host.
func main() {}
