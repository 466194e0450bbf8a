// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package linear

import "time"

var began = time.Now()

// threadTime is the time that has passed: the CPU time of a thread is not to be
// had everywhere.
func threadTime() time.Duration { return time.Since(began) }
