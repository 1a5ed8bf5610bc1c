import process from 'node:process';
import {useStdout} from 'ink';
import {useEffect} from 'react';
import {ERASE_SCREEN} from './alternate-screen.ts';

/** Milliseconds after which Ink has drawn for the new size. */
const SETTLED = 100;

/**
 * Draws the whole screen again after the terminal has changed its size. Ink takes two changes at
 * almost the same time for none, and then leaves the frame as the terminal rearranged it; and a
 * frame for the old size may still be on its way.
 */
export function useRepaint(): void {
	const {write} = useStdout();
	useEffect(() => {
		let timer: NodeJS.Timeout | undefined;
		const repaint = () => {
			clearTimeout(timer);
			timer = setTimeout(() => write(ERASE_SCREEN), SETTLED);
		};
		process.on('SIGWINCH', repaint);
		return () => {
			clearTimeout(timer);
			process.off('SIGWINCH', repaint);
		};
	}, [write]);
}
