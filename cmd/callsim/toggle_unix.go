// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package main

import (
	"os"
	"os/signal"
	"syscall"
)

// toggleSignal sends the signals that take the Events servers down and up.
func toggleSignal(to chan<- os.Signal) { signal.Notify(to, syscall.SIGUSR1) }
