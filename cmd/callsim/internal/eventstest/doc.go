// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package eventstest is a client of an Events server for tests. It follows the
// rules of the protocol exactly and records violations by the server.
//
// It subscribes to the calls of one bridge, and to the info and the roster of
// each call that is added, with an index of its own for each; every message is
// acknowledged before it is applied. It shares no code with the server.
package eventstest
