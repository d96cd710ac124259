// Package baseline divides videos by what OpenCV offers.
package baseline
