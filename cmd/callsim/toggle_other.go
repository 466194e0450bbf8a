// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !unix

package main

import "os"

// toggleSignal does nothing where there is no such signal.
func toggleSignal(chan<- os.Signal) {}
