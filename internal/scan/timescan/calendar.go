// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package timescan

// monthLengths are those of a leap year.
var monthLengths = [...]int{1: 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}

// DaysIn returns the number of days of a month, 1 to 12, in the Gregorian calendar.
func DaysIn(year, month int) int {
	if isLeap := year%4 == 0 && (year%100 != 0 || year%400 == 0); month == 2 && !isLeap {
		return 28
	}
	return monthLengths[month]
}

// daysSince1970 returns the number of days from the first of January 1970 to a date in the
// Gregorian calendar, from year 0 on. Its years begin in March, so that the leap day is
// the last one; the months from March on have 153 days in five.
func daysSince1970(year, month, day int) int {
	if month -= 3; month < 0 {
		month += 12
		year--
	}
	const period, daysOfPeriod = 400, 146_097 // the calendar repeats
	const daysTo1970 = 719_468                // from the first of March of year 0
	year += period                            // not negative
	return 365*year + year/4 - year/100 + year/400 + (153*month+2)/5 + day - 1 - daysTo1970 - daysOfPeriod
}
