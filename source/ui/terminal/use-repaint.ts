import {readlinkSync} from 'node:fs';
import process from 'node:process';
import {useStdout} from 'ink';
import {useCallback, useEffect} from 'react';
import {screenReader} from '../theme.ts';
import {ERASE_SCREEN} from './alternate-screen.ts';

/** Milliseconds after which Ink has drawn for the new size. */
const SETTLED = 100;

/**
 * Milliseconds between two drawings of the whole screen while rules wait to be confirmed, and on a console at other
 * times. A frame of the wait has about 1,000 bytes at 80x24, which a serial line of 9,600 baud takes in a second.
 */
const EVERY = 2000;
const EVERY_ON_CONSOLE = 10_000;

/**
 * Draws the whole screen again where the terminal no longer shows what Ink has drawn: Ink itself
 * writes only the lines that change.
 *
 * After the terminal has changed its size: Ink takes two changes at almost the same time for none,
 * and a frame for the old size may still be on its way. And again and again while `urgent`, and on a console, where
 * the kernel prints messages that `ForeignWrites` cannot see. A screen reader would read each drawing aloud.
 * @returns draws it at once
 */
export function useRepaint(urgent: boolean): () => void {
	const {write} = useStdout();
	const repaint = useCallback(() => write(ERASE_SCREEN), [write]);
	useEffect(() => {
		let timer: NodeJS.Timeout | undefined;
		const repaintLater = () => {
			clearTimeout(timer);
			timer = setTimeout(repaint, SETTLED);
		};
		process.on('SIGWINCH', repaintLater);
		return () => {
			clearTimeout(timer);
			process.off('SIGWINCH', repaintLater);
		};
	}, [repaint]);
	useEffect(() => {
		if (!(urgent || onConsole()) || screenReader) {
			return;
		}

		const timer = setInterval(repaint, urgent ? EVERY : EVERY_ON_CONSOLE);
		return () => clearInterval(timer);
	}, [urgent, repaint]);
	return repaint;
}

/** Whether the terminal is a console of the kernel or a serial line, and no pseudo-terminal. */
function onConsole(): boolean {
	try {
		return /^\/dev\/(tty|hvc|console)/.test(readlinkSync('/proc/self/fd/1'));
	} catch {
		return false;
	}
}
