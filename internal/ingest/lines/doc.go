// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package lines reads lines of text from UDP, TCP, TLS and files, with the inputs of
// pkg/stanza. It knows no format: a line is the text between two line ends, or a frame of
// RFC 6587.
//
// # Order
//
// [Build] makes the inputs, [Inputs.Start] starts them, and each input calls the [Sink] with
// its lines. Lines of one file, and of one connection, are in order; several connections
// call the Sink concurrently. [Inputs.Stop] ends them.
//
// # Who may block
//
// A Sink that does not return blocks its input: the input does not read the file further,
// a TCP connection reads no more, and the kernel drops datagrams. Inputs.Stop waits for
// each call of the Sink.
//
// # Tests
//
// Tables of frames for the split function, and sockets of localhost for the inputs.
package lines
