// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package outbox sends the log records of one posted body to the next consumer in
// bounded payloads, and quarantines the records that the consumer refuses permanently.
//
//	chunk.go     consecutive parts of a body, bounded in number and in bytes
//	payloadwriter.go    the payloads of one chunk
//	delivery.go  all chunks of a body: send, or quarantine, then mark as accepted
//	outcome.go   the outcome of each part, for the receiver's own metrics
//
// # Order
//
// [Delivery.Deliver] sends the chunks of a body one after the other. It marks a chunk as
// accepted after the consumer accepted it, or its bytes in quarantine, and before it
// sends the next chunk. A consumer error that is not permanent ends the delivery: the
// sender of the body must send the rest again.
//
// # Concurrency
//
// A [Delivery] is safe for concurrent use; a [Body] and a [PayloadWriter] serve one goroutine.
// The package waits in the consumer only, and sends nothing after the end of its context.
//
// # Tests
//
// The tests of the receivers cover this package, with consumers that refuse or fail.
package outbox
