// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !unix

package main

import (
	"errors"
	"os"
	"time"
)

func cpuTime() (time.Duration, error) {
	return 0, errors.New("CPU time can be measured on Unix only")
}

func peakMemory(*os.ProcessState) int64 { return 0 }
