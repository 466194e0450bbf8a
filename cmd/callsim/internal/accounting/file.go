// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package accounting

import (
	"fmt"
	"os"
)

// Backups is how many old files Log4j keeps (MaxBackupIndex).
const Backups = 10

// rollingFile is a file that is renamed when it is full: file.1 is the newest
// backup, file.10 the oldest.
type rollingFile struct {
	path    string
	limit   int64
	file    *os.File
	size    int64
	rotated int
}

func openFile(path string, limit int64) (*rollingFile, error) {
	f := &rollingFile{path: path, limit: limit}
	return f, f.open()
}

func (f *rollingFile) open() (err error) {
	if f.file, err = os.OpenFile(f.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600); err != nil {
		return err
	}
	info, err := f.file.Stat()
	if err == nil {
		f.size = info.Size()
	}
	return err
}

// write appends a line, and begins another file behind it if this one is full.
func (f *rollingFile) write(line []byte) error {
	n, err := f.file.Write(line)
	f.size += int64(n)
	if err != nil || f.size < f.limit {
		return err
	}
	return f.rotate()
}

func (f *rollingFile) rotate() error {
	if err := f.file.Close(); err != nil {
		return err
	}
	for number := Backups; number > 0; number-- {
		older, newer := fmt.Sprintf("%s.%d", f.path, number), fmt.Sprintf("%s.%d", f.path, number-1)
		if number == 1 {
			newer = f.path
		}
		if err := os.Rename(newer, older); err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	f.rotated++
	return f.open()
}
