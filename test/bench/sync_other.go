// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package main

import "os"

func syncData(file *os.File) error { return file.Sync() }
