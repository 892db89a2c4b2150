// The tests' own browser freezes no pages.
import { journeys } from '../back';

journeys();
