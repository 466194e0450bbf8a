// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package groupcall lets requests that wait at the same time share one call, as
// databases do with a group commit: while a call is under way, those who come
// wait, and the next call is for all of them. A slow callee makes calls larger,
// not queues longer, and where nobody else waits, nobody waits for company.
//
// A call ends without any of its requesters: one who gives up gets the error of
// its own context, and the others go on. When the last one has given up, the
// context of the call ends.
package groupcall
