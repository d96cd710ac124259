// Package record writes a stream that is compressed already into WebM files that survive a crash:
// a new one every minute, and nothing that is needed to read a file comes at its end.
package record
