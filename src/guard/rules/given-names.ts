/**
 * Given names that are common somewhere and are no everyday word of English. They alone say nothing: a name is one of these with a
 * family name behind it. Our own list, from general knowledge; far from complete.
 */
export const GIVEN_NAMES: ReadonlySet<string> = new Set(
  (
    'Aaron Abdul Abdullah Abigail Abraham Ada Adam Adele Adrian Adriana Agnes Agnieszka Ahmed Ahmad Aiko Aisha Akira Alan Albert Alberto ' +
    'Alejandro Alessandro Alessia Alex Alexander Alexandra Alexei Alfred Ali Alice Alicia Alina Alison Allison Amanda Amelia Amina Amir ' +
    'Amit Amy Ana Anders Andrea Andreas Andrew Andrzej Angela Anita Anjali Ann Anna Anne Annika Anthony Antonio Arjun Arthur Arun Astrid ' +
    'Ayse Ayumi Barbara Beatrice Benjamin Bernard Bernd Bianca Birgit Björn Bogdan Boris Brandon Brenda Brian Bruno Camille Carla Carlos ' +
    'Carmen Carol Caroline Catherine Cecilia Charles Charlotte Chiara Chidi Chinwe Chloe Christian Christina Christine Christopher Claire ' +
    'Clara Claudia Colin Cristina Cynthia Daniel Daniela Daniil Danielle David Deborah Denise Dennis Diana Diego Dieter Dimitri Divya ' +
    'Dmitri Dmitry Dominik Dorothy Douglas Edith Eduardo Edward Elena Eleanor Elif Elisabeth Elizabeth Ella Ellen Emil Emily Emma ' +
    'Emmanuel Enrique Eric Erik Erika Ernst Esther Eugene Eva Evelyn Fabian Farah Fatima Felix Fernando Filip Finn Florian Frances ' +
    'Francesca Francesco Francisco Franz Fredrik Gabriel Gabriela Gareth Gary Geoffrey George Georgia Gerald Gerhard Giovanni Giulia ' +
    'Giuseppe Gloria Gonzalo Greta Gunnar Gustav Hamid Hamza Hanna Hannah Hans Harald Haruto Hassan Heather Heidi Heinrich Helen Helena ' +
    'Helga Henrik Henry Hiroshi Hugo Hussein Ibrahim Ian Igor Ines Ingrid Irene Irina Isaac Isabel Isabella Ivan Jacob Jacques James Jan ' +
    'Jane Janet Jasmine Jason Javier Jean Jeffrey Jennifer Jens Jeremy Jessica Jesús Joan Joanna Joanne João Joel Johan Johann Johannes ' +
    'John Jonas Jonathan Jorge José Josef Joseph Joshua Juan Judith Julia Julian Juliana Julie Jun Jürgen Justin Kamal Karen Karl Karin ' +
    'Katarzyna Kate Katherine Kathleen Katja Kavita Kazuki Keiko Keith Kelly Kenji Kenneth Kevin Khadija Kirsten Klaus Kofi Krzysztof ' +
    'Kumar Kwame Kyle Lars Laura Lauren Laurent Layla Leila Leon Leonardo Leticia Liam Lin Linda Lisa Lorenzo Louis Louise Luca Lucas ' +
    'Lucia Lucy Ludwig Luis Lukas Lydia Magdalena Mahmoud Manuel Marco Marcus Margaret Maria María Marie Marina Mario Marion Marta Martha ' +
    'Martin Martina Mary Mateusz Matteo Matthew Matthias Maya Mei Mehmet Melissa Michael Michelle Miguel Mikhail Milan Mohamed Mohammad ' +
    'Mohammed Monika Muhammad Mustafa Nadia Naomi Natalia Natalie Natasha Nathan Neha Ngozi Nguyen Nicholas Nicolas Nicole Niels Nikolai ' +
    'Nils Nina Noah Noor Nora Oleg Olga Oliver Olivia Olu Oluwaseun Omar Oscar Oskar Pablo Paolo Patricia Patrick Paul Paula Paulo Pavel ' +
    'Pedro Penelope Peter Petra Philip Philippe Pierre Piotr Pooja Priya Rachel Rafael Rahul Raj Rajesh Ramon Raphael Ravi Rebecca ' +
    'Ricardo Richard Robert Roberto Roger Roland Ronald Rosa Roxana Ruben Rudolf Ruth Ryan Saanvi Sabine Said Sakura Salma Samantha Samir ' +
    'Samuel Sandra Sanjay Santiago Sara Sarah Satoshi Scott Sean Sebastian Sergei Sergio Shreya Silvia Simon Simone Sofia Sonia Sophia ' +
    'Sophie Stefan Stefanie Stephanie Stephen Steven Sunita Susan Susanne Suzanne Sven Svetlana Sylvia Takashi Tamara Tanja Tariq Tatiana ' +
    'Teresa Theodore Theresa Thomas Timothy Tobias Tomasz Tomás Ulrike Ursula Uwe Valentina Valeria Vanessa Vera Veronica Victor Victoria ' +
    'Vijay Viktor Vikram Vincent Virginia Vladimir Walter Wanjiru Wei Werner Wilhelm William Wolfgang Xavier Xiao Xin Yasmin Yuki Yuri ' +
    'Yusuf Yvonne Zainab Zeynep Zoe Zofia'
  ).split(' '),
)
