// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package webhook is the HTTP server of receivers to which one kind of sender posts, on one
// path.
//
//	server.go        the listener, and its stop in bounded time
//	handler.go       methods, sizes and status codes
//	path.go          comparing paths, and masking secrets in them
//	body.go          reading bodies within a budget for all of them
//	encodings.go     decompression with bounded memory
//	answers.go       counting answers by status
//	log_messages.go  texts of the warnings
//	config.go        validation of the configuration
//
// # Order
//
// The Handler checks path and method, reads the body, and calls Settings.Accept. It answers
// 200 after nil and 503 after an error. There is no queue: the HTTP answer is the
// back-pressure, and a sender keeps the data until it gets a 200.
//
// # Who may block
//
// Requests run concurrently. They wait for the body, for which read_timeout sets a limit,
// and in Settings.Accept. [Server.Stop] bounds both waits.
//
// # Tests
//
// The tests serve on a port of localhost.
package webhook
