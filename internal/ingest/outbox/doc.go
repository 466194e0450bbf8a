// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package outbox sends the log records of one body to the next consumer in bounded
// payloads, and puts what the consumer refuses permanently into quarantine.
//
//	piece.go   a body in pieces, bounded in parts, in bytes and in what they become
//	sender.go  the payloads of one piece
//
// A [Sender] serves one goroutine. It waits only in the consumer, and sends nothing
// after its context has ended.
package outbox
