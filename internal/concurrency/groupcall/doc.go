// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package groupcall makes one call for all requests that wait at the same time, like the
// group commit of a database.
//
// # Order
//
// While a call is running, new requests wait. The next call is for all of them, within the
// bounds of [Options]. A slow callee makes calls larger instead of queues longer, and a
// single request never waits for others.
//
// # Who may block
//
// [Group.Do] and [Request.Wait] wait for the call, until the context of the request ends. The
// other requests of the call continue. The context of a call ends when all its requests are
// canceled. [Group.Wait] waits for running calls.
//
// # Tests
//
// The tests use synctest bubbles and calls that wait for the test.
package groupcall
