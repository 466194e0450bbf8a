// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package lines takes lines of text from UDP, TCP, TLS and files, by the inputs of
// pkg/stanza. It knows no format: a line is what stands between two line ends, or a
// frame of RFC 6587.
//
// Lines of one file, and of one connection, come in order, several connections side by
// side. A Sink that does not return holds its input up: a file is not read further, a
// TCP connection takes no more, and the kernel drops datagrams.
package lines
