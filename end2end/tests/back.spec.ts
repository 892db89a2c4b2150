// The tests' own browser has no back-forward cache.
import { journeys } from '../back';

journeys();
