// Package weights reads and writes weights files, in the safetensors format. A file holds named
// float32 tensors, and in its header the configuration of each part that owns some of them: the
// model of package glom, whose tensors have bare names, and others, such as the front end, whose
// tensors are named PART.NAME.
//
// Everything read is checked before it is believed: a file that is cut off or holds numbers that
// are not finite is an error, and takes little more memory than its own size.
package weights
